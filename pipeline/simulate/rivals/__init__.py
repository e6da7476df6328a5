"""What is decided at night: the policies that are compared, and what each may see (`situation`).

No policy knows more than the business date; how the world answers does not belong here.
"""
