package listen

import (
	"errors"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		address    string
		tls, token bool
		want       error
	}{
		{"127.0.0.1:9748", false, false, nil},
		{"127.9.9.9:9748", false, false, nil},
		{"localhost:9748", false, false, nil},
		{"[::1]:9748", false, false, nil},
		{"[::ffff:127.0.0.1]:9748", false, false, nil},
		{"127.0.0.1:0", false, false, nil},
		{"0.0.0.0:9748", true, true, nil},
		{":9748", true, true, nil},
		{"0.0.0.0:9748", true, false, ErrUnprotected},
		{"0.0.0.0:9748", false, true, ErrUnprotected},
		{":9748", false, false, ErrUnprotected},
		{"[::]:9748", false, false, ErrUnprotected},
		{"10.0.0.1:9748", false, false, ErrUnprotected},
		{"localhost.example:9748", false, false, ErrUnprotected},
		{"127.0.0.1", false, false, ErrAddress},
		{"127.0.0.1:http", false, false, ErrAddress},
		{"127.0.0.1:65536", false, false, ErrAddress},
		{"", true, true, ErrAddress},
	} {
		if err := Check(c.address, c.tls, c.token); !errors.Is(err, c.want) {
			t.Errorf("Check(%q, %t, %t): %v, want %v", c.address, c.tls, c.token, err, c.want)
		}
	}
}
