"""The local socket: HTTP for people at the machine, who are known by the kernel's word."""
