// Package keystone gives a test a real Keystone, as Debian packages it: with a database
// and keys of its own, on loopback, with the user and project admin.
//
//	identity := keystone.Start(t)
//	identity.AddService("volumev3", "cinder", "http://127.0.0.1:8776/v3/%(project_id)s")
//	identity.Client("application", "credential", "list")
//
// # The server
//
// A small Python program, serve.py, fills the database and serves it in one process,
// which takes about three seconds.
package keystone
