"""Importing this leaves all objects that there are to the garbage collector for good.

The server that children are forked from does so last: a collection in a child would write into each of them, and so
make a copy of the memory that it shares.
"""

import gc

gc.collect()
gc.freeze()
