"""MDB/ICP (NAMA 4.2/4.3): block codec and the master's sans-IO device machines."""
