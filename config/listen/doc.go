// Package listen holds the rule for the address of the HTTP API: on a loopback
// address every user of the host may read it, and any other address needs TLS and
// a bearer token, because the responses name arrays, pools and capacities. The
// configuration and the server both apply it.
package listen
