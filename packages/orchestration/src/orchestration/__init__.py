"""Pipelines, stacks, releases and the elt command.

::

    pipelines/      what runs: a folder each, with its state machine, SQL and part of the pipelines stack
    stacks/         where it runs: the CloudFormation templates, and how one is planned, deployed and deleted
    environments/   local, dev and prod
    releases/       which bytes of every package belong together: built, published, deployed, tried, rolled back
    deployment.py   an environment brought up to date, and found again

    executions.py   one run: started, read and followed (progress.py), its logs (joblogs.py)
    backfill/       many months at once
    trips/          of the trips pipelines: sources, what a run left behind, the table against the manifests
    reviews/        of the reviews pipeline: the same
    warehouse.py    queries as its administrator

    report/         one run as a page
    dashboard/      the reviews' report as a page
    webpage/        what both have in common
    generate/       data to try it all on

    cli/            the commands, a module each; all else here is a library that they call
"""
