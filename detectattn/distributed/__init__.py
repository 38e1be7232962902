"""The same pipeline on a Ray cluster, by Ray Data: the only package that knows Ray, which is loaded when it is used.

inputs ─list→ manifest (shards of so many inputs) ─Ray Data→ replicas, each with one model ─→ parts of the run folder

A shard is a number of inputs that are worked on together: a replica runs the local pipeline over them into a folder of
its own machine, puts what that left into the run's store, and last of all a marker that the shard is done. So whatever
dies, and whenever, a shard is there whole with its marker or is done again.
"""
