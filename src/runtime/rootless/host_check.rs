//! Checks whether the host lets ordinary users create user namespaces, with the commands that allow
//! it.

/// Returns the problems of the host, each with the command that solves it.
pub(super) fn host_check() -> Vec<(String, String)> {
    problem(|name| {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
    })
}

fn problem(sysctl: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut check = |name: &str, bad: &str, what: &str, way: &str| {
        if sysctl(name).as_deref() == Some(bad) {
            all.push((format!("{what} ({name}={bad})"), way.to_owned()));
        }
    };
    check(
        "kernel.unprivileged_userns_clone",
        "0",
        "the host lets only root create user namespaces",
        "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    );
    check(
        "user.max_user_namespaces",
        "0",
        "the host allows no user namespaces",
        "sudo sysctl -w user.max_user_namespaces=15000",
    );
    check(
        "kernel.apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor denies ordinary users the rights in a user namespace",
        "give lifebox an AppArmor profile with `userns,`, or: \
         sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    );
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_obstacle_comes_with_the_command_that_takes_it_away() {
        let obstacles = [
            ("kernel.unprivileged_userns_clone", "0"),
            ("user.max_user_namespaces", "0"),
            ("kernel.apparmor_restrict_unprivileged_userns", "1"),
        ];
        for (name, bad) in obstacles {
            let all = problem(|key| Some(if key == name { bad } else { "7" }.to_owned()));
            let [(what, way)] = &all[..] else { panic!("{all:?}") };
            assert!(what.contains(&format!("({name}={bad})")), "{what}");
            assert!(way.contains(&format!("sudo sysctl -w {name}=")), "{way}");
        }
        assert!(problem(|_| None).is_empty());
    }
}
