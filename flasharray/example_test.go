package flasharray_test

import (
	"context"
	"fmt"
	"os"

	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

func Example() {
	server, address, err := anArray() // a simulated one
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer func() { _ = server.Close() }()

	client, err := flasharray.New(flasharray.Options{
		Address: address,
		Token:   flasharray.StaticToken("an API token"),
		Verify:  true,
		RootCAs: server.CertPool(),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer func() { _ = client.Close(context.Background()) }()

	stats, err := client.Sample(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Println(stats.Identity.Name, stats.Identity.Model, "with REST", stats.Identity.REST)
	fmt.Println("volumes are counted:", stats.Counts.Volumes != nil)
	fmt.Println("parts that failed:", len(stats.Faults))
	// Output:
	// flasharray-x-01 FA-X70R4 with REST 2.26
	// volumes are counted: true
	// parts that failed: 0
}

func anArray() (*simulator.Server, string, error) {
	all, err := simulator.Builtin()
	if err != nil {
		return nil, "", err
	}
	for _, f := range all {
		if f.Name == "flasharray-x-01" {
			server, err := simulator.Serve([]*simulator.Array{simulator.New(f, simulator.Options{})}, simulator.ServeOptions{})
			if err != nil {
				return nil, "", err
			}
			return server, server.Addr(f.Name), nil
		}
	}
	return nil, "", fmt.Errorf("there is no such array")
}
