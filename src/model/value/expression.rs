//! Expressions of the language, as data: the maker of an expression knows what it means, and
//! `ui::expression`, which writes it, how texts are quoted.

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// A string.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A number with a fraction, as it is written.
    Decimal(String),
    /// `true` or `false`.
    Flag(bool),
    /// An array.
    List(Vec<Expression>),
    /// A map whose keys are names of the language.
    Options(Vec<(&'static str, Expression)>),
    /// A map whose keys are the user's texts.
    Map(Vec<(String, Expression)>),
    /// A call of a function.
    Call(&'static str, Vec<Expression>),
    /// A value of a script that is not data, such as a function, by its name in messages.
    Other(&'static str),
    /// A property of a value: `value.State.Status`.
    Field(Box<Expression>, Vec<String>),
    /// One property of each of the values in a list.
    Each(Box<Expression>, &'static str),
    /// A function that prints its argument, or this property of it.
    Printer(Option<&'static str>),
}

impl Expression {
    /// Returns a string.
    pub fn text(text: impl Into<String>) -> Self {
        Expression::Text(text.into())
    }

    /// Returns an array of strings.
    pub fn list<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Expression::List(texts.into_iter().map(Expression::text).collect())
    }

    /// Returns one string as a string, several as an array: for options that take both.
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        let mut texts: Vec<Expression> = texts.into_iter().map(Expression::text).collect();
        match (texts.pop(), texts.is_empty()) {
            (Some(one), true) => one,
            (last, _) => {
                texts.extend(last);
                Expression::List(texts)
            }
        }
    }

    /// Names the value in messages: what is short as it is written, anything else by its type.
    pub fn shown(&self) -> String {
        match self {
            Expression::Text(text) => format!("\"{}\"", text.escape_debug()),
            Expression::Number(number) => number.to_string(),
            Expression::Decimal(number) => number.clone(),
            Expression::Flag(flag) => flag.to_string(),
            Expression::List(_) | Expression::Each(..) => "an array".to_owned(),
            Expression::Options(_) | Expression::Map(_) => "a map".to_owned(),
            Expression::Call(..) | Expression::Field(..) => "a value".to_owned(),
            Expression::Printer(_) => "a function".to_owned(),
            Expression::Other(what) => (*what).to_owned(),
        }
    }

    /// Returns keys and values of a map; `None` for any other expression.
    pub fn entries(&self) -> Option<Vec<(&str, &Expression)>> {
        match self {
            Expression::Options(entries) => {
                Some(entries.iter().map(|(key, value)| (*key, value)).collect())
            }
            Expression::Map(entries) => {
                Some(entries.iter().map(|(key, value)| (key.as_str(), value)).collect())
            }
            _ => None,
        }
    }

    /// Returns a call with options, or without where there are none.
    pub fn call(
        function: &'static str,
        mut values: Vec<Expression>,
        options: Vec<(&'static str, Expression)>,
    ) -> Self {
        if !options.is_empty() {
            values.push(Expression::Options(options));
        }
        Expression::Call(function, values)
    }
}
