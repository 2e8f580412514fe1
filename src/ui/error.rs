//! An error as a user reads it: what, why, and what to do.

use crate::model::Error;

/// Up to this width message and reason stay on one line.
const ONE_LINE: usize = 100;

/// `error: ...`, its causes, and `hint: ...`, each line ended.
pub fn error(error: &Error) -> String {
    let whole = error.to_string();
    let mut text = if error.causes().len() <= 1 && whole.chars().count() <= ONE_LINE {
        format!("error: {whole}\n")
    } else {
        let causes: String = error.causes().iter().map(|cause| format!("  {cause}\n")).collect();
        format!("error: {}\n{causes}", error.message())
    };
    if let Some(hint) = error.hint_text() {
        text.push_str(&format!("hint: {hint}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::model::Kind;

    #[test]
    fn reasons_stay_on_the_line_while_they_fit() {
        let short = Error::new(Kind::System, "invalid argument").context("mount overlay on /");
        expect![[r#"
            error: mount overlay on /: invalid argument
        "#]]
        .assert_eq(&error(&short));
        let long = short
            .context("step 7 of 31")
            .context("cannot start `web`")
            .cause("the directory could not be removed")
            .hint("see `lifebox info`");
        expect![[r#"
            error: cannot start `web`
              step 7 of 31
              mount overlay on /
              invalid argument
              the directory could not be removed
            hint: see `lifebox info`
        "#]]
        .assert_eq(&error(&long));
    }
}
