"""The kinds of nanocontract, a file each behind one interface; payments; evidence on its way."""
