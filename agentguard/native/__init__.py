"""C, and how it is compiled: the hot loop of the seccomp sensor, the gate that is preloaded into the agent's tree, and
two loops of the decoder.

All are optional. None needs Python's headers: they are plain shared libraries, loaded by ctypes and by ld.so.
"""
