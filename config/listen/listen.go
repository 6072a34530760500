package listen

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
)

// The errors of [Check]. Both complete a sentence that begins with the address.
var (
	ErrAddress     = errors.New("is not host:port")
	ErrUnprotected = errors.New("can be reached from other machines without TLS and a bearer token")
)

// Check reports whether a server may listen on an address, protected as it is.
func Check(address string, hasTLS, hasToken bool) error {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	switch {
	case err != nil:
		return ErrAddress
	case !IsLoopback(host) && (!hasTLS || !hasToken):
		return ErrUnprotected
	}
	return nil
}

// IsLoopback reports whether a host name or IP address, without a port and
// without brackets, can be reached from this machine only.
func IsLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
