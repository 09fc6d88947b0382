"""A step in the pipelines that people already run: one thin module for each host.

A module needs its host, which an extra of the same name installs: ``scikit-learn``, ``datasets``,
``datatrove``, ``ray``, ``spark``, ``langchain``, ``haystack``. All give the verdicts of
`cleaner.Cleaner.clean_many`, and load the model once in a process.
"""
