"""Web: what the daemon serves over HTTP. One application factory, what it needs handed in, one router a noun."""
