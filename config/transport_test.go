package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestTransportURL(t *testing.T) {
	for text, want := range map[string]string{
		"rabbit://":                            "guest:guest@localhost:5672 vhost /",
		"rabbit://u:p@h":                       "u:p@h:5672 vhost /",
		"rabbit://u:p@h/":                      "u:p@h:5672 vhost /",
		"rabbit://u:p@h//":                     "u:p@h:5672 vhost /",
		"rabbit://u:p@h:1/a%2Fb":               "u:p@h:1 vhost a/b",
		"rabbit://u:p@h1:1,v:q@h2:2,h3/x":      "u:p@h1:1 v:q@h2:2 guest:guest@h3:5672 mixed vhost x",
		"rabbit://u%40x:p%3A%2F%25@h/":         "u@x:p:/%@h:5672 vhost /",
		"rabbit://u@x:p:q@h/":                  "u@x:p:q@h:5672 vhost /",
		"rabbit://u:p%zz@h/":                   "u:p%zz@h:5672 vhost /",
		"rabbit://u:p@[2001:db8::1]:7,[::1]/x": "u:p@2001:db8::1:7 guest:guest@::1:5672 mixed vhost x",
		"  rabbit://u:p@h1,\n\tu:p@h2/x#y":     "u:p@h1:5672 u:p@h2:5672 vhost x",
		"kombu+amqp://u:p@h/?ssl=1&x=&a=b+c":   "u:p@h:5672 vhost / map[a:b c ssl:1]",
	} {
		u, err := parseTransportURL(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, b := range u.brokers {
			got = append(got, fmt.Sprintf("%s:%s@%s:%d", b.Username, b.Password.Reveal(), b.Host, b.Port))
		}
		if u.mixedAccounts {
			got = append(got, "mixed")
		}
		got = append(got, "vhost "+u.virtualHost)
		if len(u.query) > 0 {
			got = append(got, fmt.Sprint(u.query))
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestTransportURLInvalid(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "has no scheme",
		"//h":                           "has no scheme",
		sentinel:                        "has no scheme",
		"kafka://h":                     "is not for RabbitMQ",
		"rabbit://u:" + sentinel + "#x": "has a port that is not a number from 1 to 65535",
		"rabbit://u:" + sentinel + "@":  "has an account without a host",
		"rabbit://h:70000":              "has a port that is not a number from 1 to 65535",
		"rabbit://u:p@h/,rabbit://u:" + sentinel + "@h/": "has another account after the virtual host; join hosts as user:password@host1,user:password@host2/virtual_host, and write @ in a virtual host as %40",

		"rabbit://[::1": "has a [ that is not closed",
	} {
		_, err := parseTransportURL(text)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
