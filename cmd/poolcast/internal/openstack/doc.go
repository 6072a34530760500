// Package openstack asks the APIs of a cloud that clouds.yaml describes: the volume
// types with their QoS specs, the services of cinder-volume, the availability zones,
// and one volume with its messages and the quota of its project. It only reads: every
// request is a GET, but the one for a token.
//
//	cloud, err := openstack.Connect(ctx, "prod")
//	types, err := cloud.VolumeTypes(ctx)
//
// Only commands use it, never the agent. Each response is decoded from its own JSON,
// because the structures of gophercloud leave keys out. No secret, token, project id or
// user id is part of an error, and none of a value but [Volume] needs one.
package openstack
