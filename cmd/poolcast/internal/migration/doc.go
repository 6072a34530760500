// Package migration makes plans of migrations in a live cloud: it reads the volumes from
// its APIs and the space that they use from the arrays, and decides on each migration as
// cinder-api and the scheduler do. It migrates nothing.
package migration
