"""`python -m holdfast.build MODULE -o FILE`: from a plugin's modules to its component.

First this Python imports the plugin, which shows mistakes at once and tells what the component
is to export and import; then componentize-py makes it.
"""
