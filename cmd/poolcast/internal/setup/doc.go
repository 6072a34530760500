// Package setup makes what the agent and the commands read arrays with: the
// configuration, the clients of its arrays with their credentials, the log, and
// the settings of the message bus in the terms of package publisher.
package setup
