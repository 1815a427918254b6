"""IAM, enforced: who asks, what they ask for, and what the policies say to that.

::

    callers.py      access key → who asks, with which policies
    needs/          API request → the actions, resources and condition keys that IAM asks about
    documents.py    policy text → statements
    conditions.py   condition operators
    evaluation.py   statements + one action on one resource → a decision; knows of nothing else
    warehouses.py   what Redshift answers about workgroups, namespaces and statements: it registers itself
    enforcer.py     puts them together, for every request and for what a service does as a role
    usage.py        which statement of which role allowed what, and what was refused
"""
