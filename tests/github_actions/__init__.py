"""GitHub Actions on one machine, for the workflows of this repository: what they use and not a key more.

    expressions.py   ${{ … }}: parsed and evaluated by GitHub's rules
    workflow.py      a workflow file, read strictly: a key or a name that GitHub or we do not know is an error
    runner.py        runs its jobs and steps, in order, each job in a workspace of its own
    stand_ins.py     what the `uses:` steps do here
    gh.py            the command gh, and what GitHub keeps of what it is told

Rules from https://docs.github.com/en/actions/reference/workflows-and-actions: expressions, contexts, workflow-syntax.
"""
