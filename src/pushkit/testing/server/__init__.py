"""The services on real sockets: TLS, HTTP/2 and HTTP/1.1 on loopback, in a thread of their own."""
