// Goes on to the app when all frames have loaded, or when one takes too long. Without scripts, there is the link.
"use strict";

const link = document.getElementById("go-on");
const goOn = () => location.replace(link.href);
if (document.readyState === "complete") goOn();
else addEventListener("load", goOn, { once: true });
setTimeout(goOn, 3000);
