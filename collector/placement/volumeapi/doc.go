// Package volumeapi makes of a request for a volume what cinder-api makes of it before
// it asks the scheduler: it fills the zones, the properties of the volume and the
// specs that filters and weighers read, and refuses what cinder-api refuses
// (cinder/volume/flows/api/create_volume.py, cinder/volume/api.py).
//
//	cloud := volumeapi.Cloud{Settings: volumeapi.Settings{StorageZone: "nova"}}
//	request, err := cloud.Create(volumeapi.Create{Size: 100})
//
// The result is a [cinder.Request], which the placement core decides on; an error is a
// [*RefusalError]. [Cloud.Extend], [Cloud.Migrate] and [Cloud.Retype] do the same for a volume
// that exists. Quotas, policies and the states of other resources are not looked at.
//
// Cinder 21.3.1 and 29.0.0 have the same rules. Everything here is pure, except for the
// volumes that a [HintReader] finds; any goroutine may call it.
package volumeapi
