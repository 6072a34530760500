// Package agent is the running agent: it polls the arrays, publishes their reports,
// serves the status page, and reloads the configuration when its files change.
//
// [Run] starts these goroutines and ends when all of them have ended:
//
//   - the collector with a poller for each array,
//   - the publisher, which is replaced when the settings of the message bus change,
//   - the listener for failed creates, while explain_failures is set; it is replaced
//     likewise, and calls the explanation of each failure,
//   - the status server,
//   - requests of the scheduler's list while the status page is viewed,
//   - the main loop, which applies plans and notifies systemd's watchdog.
//
// One more goroutine hashes the files and prepares plans. It may block on a file
// system that does not respond, so nothing waits for it.
package agent
