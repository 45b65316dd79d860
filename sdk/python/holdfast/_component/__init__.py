"""What runs in a component only: the generated bindings, in the types of this package.

Only `python -m holdfast.build` imports it, into a program which it writes. Modules here are
imported when the component is built; nothing in them may ask the host before the first event.
"""
