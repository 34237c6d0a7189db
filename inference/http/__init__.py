"""How requests arrive and answers leave: processes, connections, pages."""
