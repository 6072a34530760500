package cloud

import (
	"fmt"
	"strings"
)

// cloudName is the name of the cloud in clouds.yaml.
const cloudName = "poolcast"

// cloudsFile is the clouds.yaml of the cloud.
func (c *Cloud) cloudsFile() string { return c.path("clouds.yaml") }

// WriteClouds writes a clouds.yaml for clients. The cloud needs a Keystone.
//
// The command "openstack volume create" of python-openstackclient 6.0 makes a client of
// the image service even if it does not use it (openstackclient/volume/v2/volume.py), and
// fails without one. With version and endpoint it sends nothing to that.
func (c *Cloud) WriteClouds() {
	c.t.Helper()
	c.API.AddToCatalog(c.Keystone)
	c.write("clouds.yaml", fmt.Sprintf(`clouds:
  %s:
    auth:
      auth_url: %s
      username: %s
      password: %s
      project_name: %s
      user_domain_id: default
      project_domain_id: default
    region_name: RegionOne
    volume_api_version: 3
    image_api_version: 2
    image_endpoint_override: http://127.0.0.1:9
`, cloudName, c.Keystone.URL, c.Keystone.Admin.Name, c.Keystone.Admin.Password, c.Keystone.Admin.Name))
}

// Guide says what to type, and where everything is.
func (c *Cloud) Guide() string {
	var b strings.Builder
	config := c.hosts[0].ConfigFile()
	fmt.Fprintf(&b, `In another terminal:

  export OS_CLIENT_CONFIG_FILE=%[1]s OS_CLOUD=%[2]s
  openstack volume type create --property volume_backend_name=%[3]s gold

Which array would get a volume, and why:

  %[4]s place --config-file %[5]s --os-cloud %[2]s --type gold --size 100 --availability-zone dc1

Create it, and see where it is:

  openstack volume create --type gold --size 100 --availability-zone dc1 first
  openstack volume show first -c status -c os-vol-host-attr:host
  %[4]s why first --config-file %[5]s --os-cloud %[2]s

`, c.cloudsFile(), cloudName, Pool, c.Poolcast(), config)
	for _, h := range c.hosts {
		fmt.Fprintf(&b, "Status page  %s/ of %s: %s\n", h.URL, h.Name, strings.Join(h.Backends, ", "))
	}
	for _, a := range c.arrays {
		fmt.Fprintf(&b, "Array        https://%s %s, zone %s\n", a.address, a.name(), a.Zone)
	}
	fmt.Fprintf(&b, "cinder-api   %s\nKeystone     %s\nRabbitMQ     %s\nLogs         %s\n\nCtrl-C ends everything and removes %s.\n",
		c.API.URL(), c.Keystone.URL, c.Broker.Addr(), c.LogFolder(), c.dir)
	return b.String()
}
