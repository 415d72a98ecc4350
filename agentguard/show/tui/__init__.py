"""The dashboard. The only package that knows Textual."""
