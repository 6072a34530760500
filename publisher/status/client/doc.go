// Package client reads the HTTP API of a running agent: the reports that it
// measured, the effective reports that the schedulers hold, placement decisions,
// and health.
//
//	agent, err := client.New(client.Options{URL: "http://127.0.0.1:9748"})
//	if err != nil {
//		return err
//	}
//	reports, err := agent.Effective(ctx)
//
// The reports are those that package placement decides on, so a program with its
// own filters or weighers can use the data of a running agent.
//
// Every call ends within Options.Timeout and reads a bounded body. An HTTP status
// that is not a result is an [*Error], which holds the reason that the agent
// gives. The API is read-only: no call changes anything.
package client
