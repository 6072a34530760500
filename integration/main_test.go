//go:build integration

package integration

import (
	"fmt"
	"os"
	"testing"

	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// sharedBroker is for tests that do not stop, freeze or block it. Its password
// is a secret like any other.
var sharedBroker = rabbitmq.Shared{Options: rabbitmq.Options{User: "openstack", Password: secret()}}

func TestMain(m *testing.M) {
	m.Run()
	if err := sharedBroker.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "end the shared broker:", err)
	}
}

// joinBroker gives a test a virtual host of the shared broker, and its
// transport_url.
func joinBroker(t *testing.T) (*rabbitmq.Broker, string) {
	t.Helper()
	broker := sharedBroker.VirtualHost(t)
	return broker, broker.TransportURL()
}
