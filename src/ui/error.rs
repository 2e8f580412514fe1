//! An error as a user reads it: what, why, and what to do.

use crate::model::Error;

/// Up to this width message and reason stay on one line.
const ONE_LINE: usize = 100;

/// `error: ...`, its causes, and `hint: ...`, each line ended.
pub fn error(error: &Error) -> String {
    let whole = visible(&error.to_string());
    let mut text = if error.causes().len() <= 1 && whole.chars().count() <= ONE_LINE {
        format!("error: {whole}\n")
    } else {
        let cause = |cause: &String| format!("  {}\n", visible(cause));
        let causes: String = error.causes().iter().map(cause).collect();
        format!("error: {}\n{causes}", visible(error.message()))
    };
    if let Some(hint) = error.hint_text() {
        text.push_str(&format!("hint: {}\n", visible(hint)));
    }
    text
}

/// A text that may hold what a stranger wrote, with its control characters as escapes: none of
/// them reaches the terminal.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            c if c.is_control() => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::model::Kind;

    #[test]
    fn no_control_character_reaches_the_terminal() {
        let hostile = Error::new(Kind::NotFound, "`\x1b]0;x\x07`: \u{9b}31m not found");
        let text = error(&hostile.hint("\x1b[2J"));
        assert_eq!(text, "error: `\\u{1b}]0;x\\u{7}`: \\u{9b}31m not found\nhint: \\u{1b}[2J\n");
    }

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
