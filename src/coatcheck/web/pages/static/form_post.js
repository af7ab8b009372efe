// Sends the form of an answer to an app at once. Without scripts, there is its button.
document.getElementById("form-post").submit();
