// Package cloud starts a whole real cloud on this machine: RabbitMQ, cinder-api,
// cinder-scheduler, cinder-volume on any number of hosts with simulated arrays, and
// poolcast beside each cinder-volume.
//
//	c := cloud.Start(t, cloud.Default())
//	id, err := c.API.CreateVolume(ctx, cloud.Volume{Size: 10, Zone: "dc1"})
//	volume, err := c.API.AwaitVolume(ctx, id, "available")
//	c.Host("ctl1").Volume.Kill()
//
// Everything listens on loopback, on free ports, and ends with the test, or with the
// function that process.Run calls. The arrays are in this process: [Cloud.Array] returns
// one, to set faults and to count requests.
//
// # A host
//
// A host is a cinder-volume and an agent that read the same cinder.conf, with the option
// host. All hosts use one database, in a file. cinder-api and cinder-scheduler read a
// cinder.conf of their own.
//
// # Without Keystone
//
// By default cinder-api has auth_strategy = noauth_include_project_id, which takes user
// and project from the token (cinder/api/middleware/auth.py). With [Options].Keystone
// it checks tokens at a Keystone, which the ordinary client needs.
package cloud
