"""The mathematics: arrays and small dataclasses in, arrays and dataclasses out.

No pandas, no files, no settings files, no printing; diagnostics are returned beside the answers.
"""
