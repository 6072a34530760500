package simulator

import "crypto/sha256"

// settings are the objects of an endpoint that every array has, where they were not
// recorded: as on an array with none of them changed.
func (v *view) settings(path string) recorded {
	switch path {
	case "admins":
		return recorded{{
			"name": "pureuser", "is_local": true, "locked": false, "lockout_remaining": nil, "password": nil, "public_key": "",
			"role":      object{"name": "array_admin"},
			"api_token": object{"created_at": nil, "expires_at": nil, "token": nil},
		}}
	case "admins/settings":
		return recorded{{
			"lockout_duration": nil, "max_login_attempts": nil, "min_password_length": int64(1),
			"single_sign_on_enabled": false,
		}}
	case "array-connections/connection-key":
		return recorded{{"connection_key": uuidOf(sha256.Sum256([]byte(v.array.fixture.id + " connection key")))}}
	case "dns":
		return recorded{{"domain": "", "nameservers": []any{}, "name": "management", "services": []any{"management"}, "source": object{"name": nil}}}
	case "smi-s":
		return recorded{{"slp_enabled": false, "wbem_https_enabled": false}}
	case "smtp-servers":
		return recorded{{"name": "smtp", "password": nil, "relay_host": "", "sender_domain": "example.com", "user_name": nil}}
	case "snmp-agents":
		return recorded{{
			"name": "localhost", "engine_id": "8000A3ED0500000001", "version": "v2c", "v2c": object{"community": nil},
			"v3": object{
				"auth_passphrase": nil, "auth_protocol": nil, "privacy_passphrase": nil, "privacy_protocol": nil, "user": nil,
			},
		}}
	case "support":
		return recorded{{
			"phonehome_enabled": false, "proxy": "", "remote_assist_active": false, "remote_assist_expires": int64(0),
			"remote_assist_opened": int64(0), "remote_assist_status": "disconnected", "remote_assist_paths": []any{},
			"remote_assist_duration": int64(24 * hour), "phonehome_excludes": []any{},
		}}
	}
	return recorded{}
}
