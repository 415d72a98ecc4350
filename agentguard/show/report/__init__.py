"""The session report: HTML, Markdown, JSON."""
