// Package config is the machinery of strict configuration: a document tree
// that remembers where each value stood, tables of fields that drive decoding
// as well as the reference documentation, and errors that name a line, a JSON
// pointer and a way out.
//
// A part of the gateway declares its section as a table and never sees lines:
//
//	func (s *Section) Fields() []config.Field {
//		return []config.Field{
//			config.String("url", &s.URL, config.Required(), config.Doc("Where the provider is.")),
//			config.Duration("timeout", &s.Timeout, config.Default(30*time.Second)),
//			config.Rule(func(r *config.Report) {
//				if s.Timeout > s.Total {
//					r.At("timeout").Fail(config.Invalid, "longer than total", "lower timeout or raise total")
//				}
//			}),
//		}
//	}
//
// The package does not know any section, reads no file and no environment,
// resolves no secret and keeps no configuration: it turns bytes into typed
// values, or into errors. It is compiled into the module, so it uses neither
// reflection nor encoding/json.
package config
