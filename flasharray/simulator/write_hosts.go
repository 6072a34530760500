package simulator

import (
	"regexp"
	"slices"
	"strings"
)

// hostBody are the members of a host that can be set.
const hostBody = "iqns nqns wwns chap personality vlan"

// personalities are those of the vendor's client.
var personalities = []string{"", "aix", "esxi", "hitachi-vsp", "hpux", "oracle-vm-server", "solaris", "vms"}

var wwn = regexp.MustCompile(`^[0-9A-F]{16}$`)

func createHosts(w *writing) ([]object, error) {
	return w.createEach(func(name string) (object, error) {
		if err := checkName("hosts", name, name); err != nil {
			return nil, err
		}
		if err := w.available("hosts", name); err != nil {
			return nil, err
		}
		o := newHost(name)
		if err := w.setHost(o); err != nil {
			return nil, err
		}
		w.put("hosts", nil, o)
		return o, nil
	})
}

func newHost(name string) object {
	return object{
		"name": name, "is_local": true, "connection_count": int64(0), "host_group": object{"name": nil},
		"iqns": []any{}, "nqns": []any{}, "wwns": []any{}, "personality": nil, "vlan": "any", "preferred_arrays": []any{},
		"destroyed": false, "time_remaining": nil,
		"chap":              object{"host_user": nil, "host_password": nil, "target_user": nil, "target_password": nil},
		"port_connectivity": object{"status": "healthy", "details": "Redundant"},
		"qos":               object{"bandwidth_limit": nil, "iops_limit": nil},
		"space":             containerSpace(),
	}
}

func changeHosts(w *writing) ([]object, error) {
	hosts, err := w.named("hosts", "")
	if err != nil {
		return nil, err
	}
	return each(hosts, func(old object) (object, error) {
		if isRemote(old) {
			return nil, refuse(textAt(old, "name"), "Host is not local.")
		}
		o := clone(old)
		if err := w.setHost(o); err != nil {
			return nil, err
		}
		w.put("hosts", old, o)
		if name, given := w.body["name"].(string); given && name != textAt(o, "name") {
			return w.renameHost(o, name)
		}
		return o, nil
	})
}

func (w *writing) renameHost(o object, name string) (object, error) {
	if err := checkName("hosts", name, name); err != nil {
		return nil, err
	}
	was := textAt(o, "name")
	if err := w.availableTo("hosts", was, name); err != nil {
		return nil, err
	}
	for _, peer := range w.tx.link.arrays {
		if other := w.tx.on(peer); peer != w.array {
			for _, remote := range other.where("hosts", "name", w.array.Name()+":"+was) {
				other.rename("hosts", remote, w.array.Name()+":"+name)
			}
		}
	}
	return w.rename("hosts", o, name), nil
}

// setHost sets what the body has of a host.
func (w *writing) setHost(o object) error {
	for _, kind := range []string{"iqns", "nqns", "wwns"} {
		if err := w.setInitiators(o, kind); err != nil {
			return err
		}
	}
	if personality, given := w.body["personality"].(string); given {
		if !slices.Contains(personalities, personality) {
			return refuse("personality", "Invalid personality %q.", personality)
		}
		o["personality"] = personality
		if personality == "" {
			o["personality"] = nil
		}
	}
	if vlan, given := w.body["vlan"].(string); given {
		o["vlan"] = vlan
	}
	return w.setCHAP(o)
}

// setCHAP sets the credentials that the body has. Like an array, it shows that
// there is a password, not which.
func (w *writing) setCHAP(o object) error {
	chap, _ := w.body["chap"].(object)
	for name, value := range chap {
		_, known := sub(o, "chap")[name]
		text, isText := value.(string)
		if !known || !isText && value != nil {
			return refuse("chap", "Invalid member or value of chap.")
		}
		var shown any
		if text != "" {
			shown = text
		}
		if text != "" && strings.HasSuffix(name, "_password") {
			shown = "****"
		}
		sub(o, "chap")[name] = shown
	}
	return nil
}

// setInitiators sets, adds and removes initiators of one kind: iqns, nqns, wwns.
func (w *writing) setInitiators(o object, kind string) error {
	have, _ := o[kind].([]any)
	if list, given := w.body[kind].([]any); given {
		have = nil
		if err := w.addInitiators(o, kind, &have, list); err != nil {
			return err
		}
	}
	added, _ := w.body["add_"+kind].([]any)
	if err := w.addInitiators(o, kind, &have, added); err != nil {
		return err
	}
	removed, _ := w.body["remove_"+kind].([]any)
	have = slices.DeleteFunc(slices.Clone(have), func(x any) bool {
		return slices.ContainsFunc(removed, func(r any) bool { return initiator(kind, r) == x })
	})
	o[kind] = append([]any{}, have...)
	return nil
}

// initiator is the form in which an array keeps an initiator's name.
func initiator(kind string, v any) any {
	text, _ := v.(string)
	if kind == "wwns" {
		digits := strings.ToUpper(strings.ReplaceAll(text, ":", ""))
		if !wwn.MatchString(digits) {
			return ""
		}
		pairs := digits[:2]
		for i := 2; i < len(digits); i += 2 {
			pairs += ":" + digits[i:i+2]
		}
		return pairs
	}
	return text
}

func (w *writing) addInitiators(o object, kind string, have *[]any, list []any) error {
	for _, v := range list {
		name := initiator(kind, v)
		if text, _ := name.(string); text == "" || len(text) > 223 {
			return refuse(textAt(o, "name"), "Invalid %s.", strings.ToUpper(strings.TrimSuffix(kind, "s")))
		}
		for _, other := range w.tables["hosts"] {
			names, _ := other[kind].([]any)
			if slices.Contains(names, name) && !isRemote(other) && textAt(other, "name") != textAt(o, "name") {
				return refuse(textAt(o, "name"), "The specified %s is already in use.", strings.ToUpper(strings.TrimSuffix(kind, "s")))
			}
		}
		if !slices.Contains(*have, name) {
			*have = append(slices.Clone(*have), name)
		}
	}
	return nil
}

func deleteHosts(w *writing) ([]object, error) {
	hosts, err := w.named("hosts", "")
	if err != nil {
		return nil, err
	}
	for _, o := range hosts {
		if isRemote(o) {
			return nil, refuse(textAt(o, "name"), "Host is not local.")
		}
		if intAt(o, "connection_count") > 0 {
			return nil, refuse(textAt(o, "name"), "Host cannot be deleted due to existing connections.")
		}
		w.put("hosts", o, nil)
	}
	return nil, nil
}
