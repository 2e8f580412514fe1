//! Challenges of a registry: the `WWW-Authenticate` header, RFC 9110 section 11.6.1.

/// A challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A token of the server `realm`.
    Bearer {
        /// The URL of the token server.
        realm: String,
        /// The service that the token is for.
        service: Option<String>,
        /// The missing scope, if the challenge has one.
        scope: Option<String>,
    },
    /// Name and password.
    Basic,
}

/// Chooses a challenge from the headers: preferably a token.
pub(super) fn choose<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let mut found: Vec<Challenge> = headers.flat_map(parse).collect();
    let bearer = found.iter().position(|challenge| *challenge != Challenge::Basic);
    match bearer {
        Some(place) => Some(found.swap_remove(place)),
        None => found.pop(),
    }
}

/// Parses the known and complete challenges of one header.
fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = header.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let word_end = rest.find(|c: char| !is_token(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_end);
        if word.is_empty() {
            break;
        }
        let after = after.trim_start_matches([' ', '\t']);
        match after.strip_prefix('=') {
            Some(value) => {
                let Some((value, after)) = value_of(value.trim_start_matches([' ', '\t'])) else {
                    break;
                };
                if let Some((_, parameters)) = challenges.last_mut() {
                    parameters.push((word.to_ascii_lowercase(), value));
                }
                rest = after;
            }
            None => {
                challenges.push((word.to_ascii_lowercase(), Vec::new()));
                rest = after;
            }
        }
        rest = rest.trim_start_matches([' ', '\t', ',']);
    }
    challenges.into_iter().filter_map(|(scheme, parameters)| known(&scheme, &parameters)).collect()
}

fn known(scheme: &str, parameters: &[(String, String)]) -> Option<Challenge> {
    let find =
        |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    match scheme {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer {
            realm: find("realm")?,
            service: find("service"),
            scope: find("scope"),
        }),
        _ => None,
    }
}

/// Parses a token or a quoted string, and returns the rest.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !is_token(c)).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[place + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        let (service, scope) = (service.map(str::to_owned), scope.map(str::to_owned));
        Some(Challenge::Bearer { realm: realm.to_owned(), service, scope })
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let one = |text: &str| choose(std::iter::once(text));
        assert_eq!(
            one(
                r#"Bearer realm="https://auth.example/token",service="r",scope="repository:a/b:pull,push""#
            ),
            bearer("https://auth.example/token", Some("r"), Some("repository:a/b:pull,push"))
        );
        assert_eq!(one(r#"Basic realm="Registry Realm""#), Some(Challenge::Basic));
        assert_eq!(one("basic"), Some(Challenge::Basic));
        assert_eq!(one(r#"bearer  REALM = "a\"b" , x=y"#), bearer("a\"b", None, None));
        assert_eq!(
            one(r#"Basic realm="x, Bearer", Bearer realm="r""#),
            bearer("r", None, None),
            "a token is preferred"
        );
        assert_eq!(
            choose(["Basic realm=x", "Bearer realm=y"].into_iter()),
            bearer("y", None, None)
        );
    }

    #[test]
    fn what_is_no_challenge_is_none() {
        for text in ["", ",,,", "Bearer", "Negotiate abc==", "=", "Bearer realm=\"open", "\u{e4}"] {
            assert_eq!(choose(std::iter::once(text)), None, "{text}");
        }
    }
}
