"""Words: what was said in a recording, when, and how sure we are. Speech to text and the forms it leaves in."""
