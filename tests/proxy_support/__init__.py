"""What the tests of the proxy share: loopback servers that record, and a sensor with everything it saw."""
