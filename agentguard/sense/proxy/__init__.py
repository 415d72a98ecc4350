"""The network sensor: a mitmproxy child of our own. The only package that knows mitmproxy."""
