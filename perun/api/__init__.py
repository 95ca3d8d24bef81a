"""The application interface for other programs: JSON-RPC 2.0 over HTTP and WebSocket, and clients.

calls      what the clients can call, written from the list of methods
client     the client that waits for its answers; side_by_side  the one that does not
openrpc    the document that describes it all
place      where a running node is found; publishing  says so
protocol   JSON-RPC: text to calls, results and errors to text
server     the listener, in a thread of its own
sessions   one WebSocket
tokens     who may do what
"""
