// Package config reads cinder.conf: the same files that cinder-volume reads, with
// the same meaning, so that an operator writes the address and the token of an
// array once. [Load] turns [Sources] into a [Config], or returns all faults at
// once.
//
// # Same as Cinder
//
// cinder.conf is not quite an INI file. oslo.config has rules of its own, and this
// package follows its source, oslo_config/iniparser.py and cfg.py:
//
//   - key = value or key: value, whichever sign comes first.
//   - A line that begins with a space or tab continues the value above it. A
//     blank line or a comment ends the value.
//   - A comment is a line of its own. Text after a value is part of the value.
//   - One pair of quotes around a value is removed.
//   - A section may be repeated. Section names are not case-sensitive, except that
//     [DEFAULT] is only DEFAULT. Of a repeated key the last value counts; of
//     replication_device all of them.
//   - Files are read in the order of the command line, the *.conf of a folder
//     sorted by name. The environment, OS_SECTION__OPTION, overrides files.
//   - $name, ${name} and ${section.name} are replaced by other values, $$ by a $.
//
// Cinder adds rules in cinder/volume/configuration.py: a backend takes options
// that its section does not have from [backend_defaults], but not from [DEFAULT],
// except filter_function and goodness_function. An empty value for a number is
// treated as missing.
//
// A test in the folder integration compares all this with the real oslo.config and
// Cinder's own option declarations, also with random files.
//
// # More tolerant than Cinder
//
// Published examples contain mistakes that Cinder does not accept. They are
// repaired, each with a [Warning] that describes what Cinder reads:
//
//   - A JSON object in extra_capabilities whose lines are not indented is joined
//     until its braces balance, but not beyond the next section or the next key.
//   - " # comment" or " ; comment" after a value is removed, but not inside quotes,
//     and not without a space before it. Names, zones and functions
//     (keepsComment in the table) keep it, as in Cinder: with another name, poolcast
//     would report another backend. Only Sources.StripComments removes it there.
//   - Without enabled_backends, every section with a Pure Storage driver is used.
//
// Several key = value pairs on one line are refused, and the line is shown.
//
// # Stricter than Cinder
//
// Values that Cinder accepts at first and fails on later are refused at once: an
// extra_capabilities that is neither a JSON object nor false in Python, an
// over-subscription ratio below 1, an address with a scheme, an empty number where
// no default applies. A number must be finite; in extra_capabilities the key of
// one that is not finite is left out, with a warning. A $name that is not set is
// refused, as Cinder refuses a name that is not an option. In [poolcast] an
// unknown key is a fault. Elsewhere unknown keys are ignored, with a warning if
// the name is similar to an option that is read.
//
// # Effect of a fault
//
// As in cinder-volume, a fault in a backend's section, or in a value that it takes
// from [backend_defaults], leaves out that backend (Config.Broken) and no other.
// With any other fault the configuration is refused.
//
// # Secrets
//
// Tokens and passwords are of type [Secret], which cannot be printed. FieldErrors
// and warnings show a value only if it is not secret, and a line only up to the
// first key that is secret.
//
// # Implementation
//
// A scanner splits a file into assignments with their lines, a layer holds the
// sections and keys of a file, and a reader searches the layers in the order of
// oslo.config. One table, [Options], has name, type, default, range and help of
// every option; reading, flags, suggestions and the reference page are made from
// it. To read one more option, add a row and a line that reads it.
//
// The scanner is not a library for INI files, because none reads this format.
// ini.v1 (1.67), with its options set as close to oslo.config as possible, was
// compared with oslo.config on 2,000 random files. Of 1,147 valid files it refused
// 124 and read other values in 255; of 853 invalid ones it accepted 33. It has no
// line numbers and stops at the first error, but each fault here has its line. No
// option of ini.v1 changes the following:
//
//   - A continuation line after a value in quotes is read as an assignment or
//     refused. A line of spaces does not end a value.
//   - An indented line that continues nothing, a key before the first section and
//     text after a section header are accepted.
//   - A value that begins with ` or """, a token for example, continues over the
//     lines below it up to the next such quote. A key in quotes loses the text
//     after them, and the key - becomes #1.
//   - An empty value of a repeated key is lost, although it may be the last one.
//   - Keys of a section are searched in a list: 80,000 keys take 44 seconds.
//
// A pass that rewrites a file into a form that ini.v1 reads correctly would need to
// find each value, its continuation lines and its quotes, which is all that the
// scanner does.
package config
