"""Who is told what, once: freshness, failure, stock-outs and full nodes, by mail and webhook.

alerts.py  what a store's nights give cause to tell
send.py    SMTP and HTTP      once.py  each once

No planning here and no pages: figures come from the desk's queries.
"""
