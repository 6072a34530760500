// Package volumeapi makes of a request for a volume what cinder-api makes of it before
// it asks the scheduler: it fills the zones, the properties of the volume and the
// specs that filters and weighers read, and refuses what cinder-api refuses
// (cinder/volume/flows/api/create_volume.py, cinder/volume/api.py).
//
//	cloud := volumeapi.Cloud{Settings: volumeapi.Settings{StorageZone: "nova"}}
//	request, err := cloud.Create(volumeapi.Create{Size: 100})
//
// The result is a [cinder.Request], which the placement core decides on. Everything
// here is pure; any goroutine may call it.
package volumeapi
