"""From a checkout to objects in the artifact bucket, and from there to an environment and back.

::

    checkout     which commit, and whether it is unchanged
    build        every package's wheel and what lies beside it: wheels (what a wheel needs), wheelhouse (other people's
                 wheels), sbom (the bill of materials)
    manifest     a release: which bytes of every package belong together
    publish      a checkout's release, put into the bucket
    store        the artifact bucket
    index        the package index in it; serve brings it to pip
    history      what was published and tried, and what of it is still needed
    records      what was deployed, and what of that is unfinished
    lease        one deployment of an environment at a time

    rollout      an environment brought to a release, and back where that fails
    live         what AWS has of an environment; jobs, functions and roles read and write one kind each
    check        is what is deployed the release, byte for byte?
    comparison   an environment beside a release
    smoke        a small month through what is deployed
"""
