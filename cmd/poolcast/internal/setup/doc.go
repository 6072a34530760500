// Package setup makes what the agent and the commands read arrays with: the
// configuration, the clients of its arrays with their credentials, the log, and
// the settings of message bus and scheduler in the terms of their packages.
package setup
