package config

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Address is where an array's management interface listens.
type Address struct {
	Host string // name or IP address, without brackets
	Port int    // 0 for the usual one
}

// String writes the address as the authority of a URL: 10.21.0.11,
// array:8443, [2001:db8::7].
func (a Address) String() string {
	host := a.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if a.Port == 0 {
		return host
	}
	return host + ":" + strconv.Itoa(a.Port)
}

// isHostRune reports whether a character may be part of a host name. An array's
// client refuses others too, without knowing the line.
func isHostRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_' || r > 0x7f
}

// parseAddress reads host, host:port, [v6], [v6]:port and a bare v6.
func parseAddress(text string) (Address, error) {
	if strings.Contains(text, "://") {
		return Address{}, errors.New("is a URL; leave out everything but the host and port")
	}
	bare := text
	if inner, ok := strings.CutPrefix(text, "["); ok {
		bare, _ = strings.CutSuffix(inner, "]")
	}
	if ip, err := netip.ParseAddr(bare); err == nil && strings.HasPrefix(text, "[") == strings.HasSuffix(text, "]") {
		return Address{Host: ip.String()}, nil
	}
	host, port := text, ""
	if strings.Contains(text, ":") {
		var err error
		if host, port, err = net.SplitHostPort(text); err != nil {
			return Address{}, errors.New("is not host or host:port")
		}
	}
	_, err := netip.ParseAddr(host)
	if err != nil && (host == "" || strings.ContainsFunc(host, func(r rune) bool { return !isHostRune(r) })) {
		return Address{}, errors.New("is not a host name or an IP address")
	}
	a := Address{Host: host}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return Address{}, errors.New("has a port that is not between 1 and 65535")
		}
		a.Port = int(n)
	}
	return a, nil
}
