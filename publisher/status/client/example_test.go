package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"time"

	"github.com/poolcast/poolcast/publisher/status"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// The effective reports of a running agent, as the schedulers hold them.
func Example() {
	server, err := status.New(status.Options{Listen: "127.0.0.1:9748", Source: source{lastTick: time.Now()}})
	if err != nil {
		log.Fatal(err)
	}
	running := httptest.NewServer(server.Handler())
	defer running.Close()

	agent, err := client.New(client.Options{URL: running.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer agent.Close()
	reports, err := agent.Effective(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range reports {
		fmt.Println(r.Identity(), r.Pool, r.Capabilities["total_volumes"])
	}
	// Output: ctl1@fa1 gold 9
}
